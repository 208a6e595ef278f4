"""The reader of answers: what it takes in whatever pieces it comes, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zaffre.client.response import HEAD_MAX_BYTES, BadAnswer, Response

if TYPE_CHECKING:
    from socket import socket

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def chunked(pieces: list[bytes]) -> bytes:
    body = b"".join(b"%x;note=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\nTrailer: x\r\n\r\n"


def counted(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Pieces:
    """What stands for a socket: receives an answer in pieces that end at `cuts`."""

    def __init__(self, answer: bytes, cuts: list[int]) -> None:
        ends = sorted({cut % (len(answer) + 1) for cut in cuts} | {len(answer)})
        starts = [0, *ends]
        pieces = [answer[start:end] for start, end in zip(starts, ends, strict=False)]
        self._pieces = [piece for piece in pieces if piece]

    def recv(self, most: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if len(piece) > most:
            self._pieces.insert(0, piece[most:])
        return piece[:most]


def opened(answer: bytes, cuts: list[int] | None = None) -> Response:
    """Return an answer with its head read."""
    response = Response(cast("socket", Pieces(answer, cuts or [])))
    response.begin()
    return response


PIECES = st.lists(st.binary(min_size=1, max_size=50), max_size=5)
CUTS = st.lists(st.integers(0, 2000), max_size=8)


@given(PIECES, CUTS, st.integers(1, 60))
def test_a_body_is_the_same_however_it_is_coded_cut_and_read(
    pieces: list[bytes], cuts: list[int], most: int
) -> None:
    body = b"".join(pieces)
    for answer in (chunked(pieces), counted(body)):
        response = opened(answer, cuts)
        assert (response.status, response.headers["content-type"]) == (200, "text/plain")
        read: list[bytes] = []
        while data := response.read(most):
            assert len(data) <= most
            read.append(data)
        assert b"".join(read) == body
        assert response.is_over()
        assert opened(answer, cuts).read_all() == body


@given(st.lists(st.binary(max_size=20), max_size=6), CUTS)
def test_lines_end_where_they_end_and_not_with_a_piece(parts: list[bytes], cuts: list[int]) -> None:
    body = b"\n".join(parts)
    halves = [body[: len(body) // 2], body[len(body) // 2 :]]
    for answer in (chunked([half for half in halves if half]), counted(body)):
        response = opened(answer, cuts)
        lines: list[bytes] = []
        while line := response.readline():
            lines.append(line)
        assert b"".join(lines) == body
        assert all(line.endswith(b"\n") for line in lines[:-1])
        assert all(b"\n" not in line[:-1] for line in lines)


@given(PIECES, st.data())
def test_an_answer_that_is_cut_anywhere_is_never_taken_for_a_whole_one(
    pieces: list[bytes], data: st.DataObject
) -> None:
    for answer in (chunked([*pieces, b"x"]), counted(b"".join(pieces) + b"x")):
        end = data.draw(st.integers(0, len(answer) - 1))
        with pytest.raises(BadAnswer):
            opened(answer[:end]).read_all()


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"\r\nwho knows how long",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1, 2\r\n\r\nx",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
        HEAD + b"no colon\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Name : x\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"A: b\nContent-Length: 9\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Content-Length: 1\r\n 2\r\n\r\n" + b"x" * 12,
        b"HTTP/1.1 020 OK\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"Trailer: x\r\n" * 20_000,
        HEAD + b"X: " + b"x" * HEAD_MAX_BYTES + b"\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 2 * HEAD_MAX_BYTES,
    ],
)
def test_what_is_no_answer_is_refused(answer: bytes) -> None:
    with pytest.raises(BadAnswer):
        opened(answer).read_all()


class Waiting:
    """What stands for a socket that stays open and says nothing after its first words."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    def recv(self, most: int) -> bytes:
        said, self._said = self._said[:most], b""
        if not said:
            raise AssertionError("it waits for more")
        return said


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01",
        b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
    ],
)
def test_what_does_not_speak_http_is_not_waited_for(said: bytes) -> None:
    with pytest.raises(BadAnswer, match="does not speak HTTP"):
        Response(cast("socket", Waiting(said))).begin()


def test_an_answer_of_no_length_is_refused_by_its_status() -> None:
    with pytest.raises(BadAnswer, match="403 Forbidden"):
        opened(b"HTTP/1.0 403 Forbidden\r\nConnection: close\r\n\r\n<h1>no</h1>")


def test_a_folded_header_is_one_header() -> None:
    response = opened(HEAD + b"A: 1\r\n  2\r\n\t3\r\nContent-Length: 1\r\n\r\nx")
    assert response.headers["a"].split() == ["1", "2", "3"]
    assert response.read_all() == b"x"


def test_an_announcement_is_not_the_answer() -> None:
    response = opened(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\na: b\r\n\r\n" + counted(b"x")
    )
    assert (response.status, response.read_all()) == (200, b"x")


@pytest.mark.parametrize(
    ("answer", "is_over"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nleft over", False),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n0\r\n\r\n",
            False,
        ),
    ],
)
def test_a_connection_is_kept_only_if_nothing_can_be_mistaken(
    answer: bytes, *, is_over: bool
) -> None:
    response = opened(answer)
    assert response.read_all() == b""
    assert response.is_over() is is_over


def test_headers_that_come_twice_are_joined() -> None:
    response = opened(HEAD + b"A: 1\r\na:2 \r\nContent-Length: 0\r\ncontent-length:0\r\n\r\n")
    assert response.headers["a"] == "1, 2"
    assert response.read_all() == b""
