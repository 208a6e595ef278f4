"""The styles of RunDetails: Jupyter's and VS Code's colours where there are any, else our own."""

from __future__ import annotations

_LIGHT = (
    "--zf-good:#15803d;--zf-bad:#c8242b;--zf-busy:#2347c5;--zf-warn:#a35a00;--zf-off:#64697a;"
    "--zf-c0:#2347c5;--zf-c1:#c2570c;--zf-c2:#0f766e;--zf-c3:#a21caf;--zf-c4:#4d7c0f;"
    "--zf-c5:#b4233c;--zf-own-card:#fff;--zf-own-sunk:#f6f7fa;--zf-own-ink:#171b26;"
    "--zf-own-soft:#5b6172;--zf-own-edge:#dfe2ea"
)
_DARK = (
    "--zf-good:#4ade80;--zf-bad:#ff7b7e;--zf-busy:#93abff;--zf-warn:#fbbf4d;--zf-off:#a5abbd;"
    "--zf-c0:#93abff;--zf-c1:#fdaf6f;--zf-c2:#5eead4;--zf-c3:#f0a6fb;--zf-c4:#bde97b;"
    "--zf-c5:#fda4b1;--zf-own-card:#161922;--zf-own-sunk:#0f1118;--zf-own-ink:#e9ebf2;"
    "--zf-own-soft:#a1a7b8;--zf-own-edge:#2c3140"
)
_LINES = "".join(
    f".zf-c{n}{{stroke:var(--zf-c{n})}}.zf-k{n}{{background:var(--zf-c{n})}}" for n in range(6)
)
STYLE = f"""
.zf{{{_LIGHT}}}
@media (prefers-color-scheme:dark){{
body:not([data-jp-theme-light]):not(.vscode-light):not(.notebook_app) .zf{{{_DARK}}}}}
body[data-jp-theme-light="false"] .zf,body.vscode-dark .zf,body.vscode-high-contrast .zf{{{_DARK}}}
.zf.zf{{
--zf-card:var(--jp-layout-color1,var(--vscode-editor-background,var(--zf-own-card)));
--zf-sunk:var(--zf-own-sunk);
--zf-ink:var(--jp-ui-font-color0,var(--vscode-editor-foreground,var(--zf-own-ink)));
--zf-soft:var(--zf-own-soft);--zf-edge:var(--zf-own-edge);
--zf-mono:var(--jp-code-font-family,var(--vscode-editor-font-family,ui-monospace,Menlo,Consolas,
"DejaVu Sans Mono",monospace));
box-sizing:border-box;max-width:1180px;margin:2px 0 4px;padding:14px 16px;
border:1px solid var(--zf-edge);border-radius:10px;background:var(--zf-card);color:var(--zf-ink);
font:13px/1.5 var(--jp-ui-font-family,var(--vscode-font-family,system-ui,-apple-system,"Segoe UI",
Roboto,"Helvetica Neue",sans-serif));font-variant-numeric:tabular-nums;text-align:left}}
@supports (color:color-mix(in srgb,red,blue)){{.zf.zf{{
--zf-sunk:color-mix(in srgb,var(--zf-ink) 5%,var(--zf-card));
--zf-edge:color-mix(in srgb,var(--zf-ink) 15%,var(--zf-card))}}}}
.zf *{{box-sizing:border-box}}
.zf-head{{display:flex;flex-wrap:wrap;align-items:center;gap:6px 12px}}
.zf-name{{font-size:16px;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}}
.zf-time{{margin-left:auto;font-size:16px;font-weight:600}}
.zf-pill{{display:inline-flex;align-items:center;gap:6px;padding:2px 10px 2px 8px;
border-radius:99px;font-size:12px;font-weight:600;line-height:18px;white-space:nowrap;
position:relative;overflow:hidden}}
.zf-pill::before{{content:"";position:absolute;inset:0;background:currentColor;opacity:.12}}
.zf-pill i{{width:8px;height:8px;border-radius:50%;background:currentColor}}
.zf-good{{color:var(--zf-good)}}.zf-bad{{color:var(--zf-bad)}}.zf-busy{{color:var(--zf-busy)}}
.zf-warn{{color:var(--zf-warn)}}.zf-off{{color:var(--zf-off)}}
.zf-pill.zf-busy i{{animation:zf-beat 1.6s ease-in-out infinite}}
@keyframes zf-beat{{50%{{opacity:.25}}}}
@media (prefers-reduced-motion:reduce){{.zf-pill i{{animation:none!important}}}}
.zf-meta{{display:flex;flex-wrap:wrap;gap:2px 18px;margin-top:6px;color:var(--zf-soft);
font-size:12px}}
.zf-meta b{{font-weight:500;color:var(--zf-ink)}}
.zf .zf-meta a,.zf a.zf-link{{color:var(--zf-busy);text-decoration:none}}
.zf .zf-meta a:hover{{text-decoration:underline}}
.zf-mono{{font-family:var(--zf-mono);font-size:.95em}}
.zf-chips{{display:flex;flex-wrap:wrap;gap:6px;margin-top:10px}}
.zf-chip{{padding:1px 8px;border:1px solid var(--zf-edge);border-radius:6px;font-size:12px;
color:var(--zf-soft);overflow-wrap:anywhere}}
.zf-chip b{{font-weight:550;color:var(--zf-ink)}}
.zf-note{{position:relative;overflow:hidden;margin-top:12px;padding:8px 12px;
border-left:3px solid currentColor;border-radius:4px}}
.zf-note::before{{content:"";position:absolute;inset:0;background:currentColor;opacity:.08}}
.zf-note>*{{position:relative;color:var(--zf-ink);overflow-wrap:anywhere;white-space:pre-wrap}}
.zf-note b{{color:inherit;font-weight:650}}
.zf-note .zf-mono,.zf-note .zf-soft{{color:var(--zf-soft)}}
.zf-title{{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 10px;margin:0 0 10px;
font-size:11px;font-weight:650;letter-spacing:.06em;text-transform:uppercase;
color:var(--zf-soft)}}
.zf-title span{{font-weight:450;letter-spacing:0;text-transform:none;font-size:12px}}
.zf-title~.zf-title{{margin-top:20px}}
.zf-tables{{display:flex;flex-wrap:wrap;align-items:flex-start;gap:18px 40px;margin-top:18px}}
.zf-tables>div{{min-width:0;max-width:100%}}.zf-tables .zf-chart{{width:300px;max-width:100%}}
.zf-sub{{margin:0 0 4px;font-size:13px;font-weight:600;overflow-wrap:anywhere}}
.zf-sub span{{font-weight:400;font-size:11.5px;color:var(--zf-soft)}}
.zf-empty{{color:var(--zf-soft)}}.zf p{{margin:8px 0 0}}
.zf-tiles{{display:grid;grid-template-columns:repeat(auto-fill,minmax(132px,1fr));gap:10px;
margin-bottom:14px}}
.zf-tile{{padding:8px 12px;border-radius:8px;background:var(--zf-sunk);min-width:0}}
.zf-tile div:first-child,.zf-chart figcaption b{{font-size:12px;font-weight:500;
color:var(--zf-soft);overflow:hidden;text-overflow:ellipsis;white-space:nowrap}}
.zf-tile div:last-child{{font-size:17px;font-weight:600;overflow-wrap:anywhere;line-height:1.35}}
.zf-tile div.zf-words{{font-size:13px;font-weight:500}}
.zf-grid-of{{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(270px,100%),1fr));
gap:14px 18px}}
.zf .zf-chart{{margin:0;min-width:0;max-width:430px}}
.zf-chart figcaption{{display:flex;align-items:baseline;gap:8px;margin:0}}
.zf-chart figcaption b{{flex:1;min-width:0;font-weight:600;font-size:13px;color:var(--zf-ink)}}
.zf-chart figcaption em{{font-style:normal;font-weight:600;font-size:13px;color:var(--zf-c0)}}
.zf-chart small{{display:block;font-size:11.5px;color:var(--zf-soft);white-space:nowrap;
overflow:hidden;text-overflow:ellipsis}}
.zf svg{{display:block;width:100%;height:auto;max-width:none;overflow:visible;margin-top:4px}}
.zf svg text{{font:10px var(--jp-ui-font-family,system-ui,sans-serif);fill:var(--zf-soft)}}
.zf svg .zf-axis-name{{font-size:10px;font-weight:500}}
.zf-grid{{stroke:var(--zf-edge);stroke-width:1;fill:none}}
.zf-axis{{stroke:var(--zf-soft);stroke-opacity:.55;stroke-width:1;fill:none}}
.zf-line{{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}}
.zf-area{{fill:var(--zf-c0);opacity:.09}}.zf-bar{{fill:var(--zf-c0);opacity:.8}}
.zf-bar:hover{{opacity:1}}
.zf-end{{fill:var(--zf-c0);stroke:var(--zf-card);stroke-width:1.5}}
{_LINES}
.zf-hint rect{{fill:transparent}}
.zf-hint path{{stroke:var(--zf-soft);stroke-dasharray:2 2;opacity:0}}
.zf-hint circle{{fill:var(--zf-ink);stroke:var(--zf-card);stroke-width:1.5;opacity:0}}
.zf-hint:hover path,.zf-hint:hover circle{{opacity:1}}
.zf-keys{{display:flex;flex-wrap:wrap;gap:2px 12px;font-size:11.5px;color:var(--zf-soft)}}
.zf-keys i{{display:inline-block;width:10px;height:3px;border-radius:2px;margin-right:5px;
vertical-align:middle}}
.zf-wide{{overflow-x:auto;max-width:100%}}
.zf.zf table{{border-collapse:collapse;border:0;margin:0;font-size:12.5px;width:auto;
table-layout:auto;color:inherit}}
.zf.zf tr,.zf.zf tbody tr:nth-child(n){{background:none;border:0}}
.zf.zf tbody tr:hover{{background:var(--zf-sunk)}}
.zf.zf th,.zf.zf td{{padding:4px 14px 4px 0;border:0;border-bottom:1px solid var(--zf-edge);
text-align:left;vertical-align:baseline;white-space:nowrap;max-width:420px;overflow:hidden;
text-overflow:ellipsis;background:none;color:inherit}}
.zf.zf th{{font-weight:500;font-size:12px;color:var(--zf-soft)}}
.zf.zf tbody tr:last-child td{{border-bottom:0}}
.zf.zf td.zf-n,.zf.zf th.zf-n{{text-align:right}}
.zf.zf td.zf-top{{font-weight:700;color:var(--zf-good)}}
.zf-share{{display:flex;gap:2px;height:8px;margin:0 0 8px;border-radius:99px;overflow:hidden}}
.zf-share i{{background:currentColor}}
.zf-legend{{display:flex;flex-wrap:wrap;gap:2px 16px;margin-bottom:10px;font-size:12px;
color:var(--zf-soft)}}
.zf-legend i{{display:inline-block;width:8px;height:8px;border-radius:50%;
background:currentColor;margin-right:6px}}
.zf-legend b{{font-weight:600;color:var(--zf-ink)}}
.zf-log{{display:flex;flex-direction:column-reverse;max-height:340px;overflow:auto;
border-radius:8px;background:var(--zf-sunk);border:1px solid var(--zf-edge)}}
.zf.zf pre{{margin:0;padding:10px 12px;border:0;background:none;color:var(--zf-ink);
font:12px/1.55 var(--zf-mono);white-space:pre-wrap;overflow-wrap:anywhere;overflow:visible}}
.zf details{{margin-top:10px}}.zf style+details{{margin-top:0}}
.zf summary{{display:list-item;cursor:pointer;color:var(--zf-soft);font-size:12.5px;
font-weight:550}}
.zf summary:hover{{color:var(--zf-ink)}}
.zf details[open]>summary{{margin-bottom:6px}}
.zf .zf-picture{{margin:0;min-width:0}}
.zf .zf-picture img{{display:block;max-width:100%;height:auto;margin:6px 0 0;border-radius:6px;
background:#fff;border:1px solid var(--zf-edge)}}
.zf-picture figcaption{{font-size:13px;font-weight:600;overflow:hidden;text-overflow:ellipsis}}
.zf-picture small{{font-weight:400;font-size:11.5px;color:var(--zf-soft)}}
.zf.zf table.zf-matrix{{border-spacing:2px;border-collapse:separate;margin-top:4px}}
.zf.zf .zf-matrix td,.zf.zf .zf-matrix th{{border:0;padding:5px 9px;max-width:130px}}
.zf.zf .zf-matrix td{{text-align:right;border-radius:4px;min-width:46px}}
.zf.zf .zf-matrix thead th{{text-align:right}}
.zf.zf .zf-matrix tbody tr:hover{{background:none}}
"""
