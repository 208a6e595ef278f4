"""From a workspace to a registered model, written for Azure ML SDK v1 and for nothing else.

    python quickstart.py

config.json beside this file names the workspace; Zaffre makes it at first use.
"""

from __future__ import annotations

import os
import tempfile

from inline_run import explore

from azureml.core import Experiment, Model, ScriptRunConfig, Workspace
from azureml.train.estimator import Estimator
from azureml.train.sklearn import SKLearn

HERE = os.path.dirname(os.path.abspath(__file__))
TRAINING = os.path.join(HERE, "training")


def title(text: str) -> None:
    """Print what comes next."""
    print(f"\n--- {text} ---", flush=True)


def main() -> None:
    """Run the whole way."""
    title("Workspace and experiment")
    ws = Workspace.from_config(path=HERE)
    experiment = Experiment(workspace=ws, name="quickstart")
    print(f"Workspace {ws.name}, experiment {experiment.name}")

    title("An inline run, with every log* method")
    inline = explore(experiment)
    metrics = inline.get_metrics()
    print(f"Run {inline.id} is {inline.get_status()}; it logged {', '.join(metrics)}")

    title("A script by ScriptRunConfig")
    by_script = experiment.submit(
        ScriptRunConfig(
            source_directory=TRAINING,
            script="train.py",
            arguments=["--reg_rate", 0.1],
            compute_target="local",
        )
    )
    by_script.display_name = "ScriptRunConfig"
    by_script.wait_for_completion(show_output=True)

    title("The same script by Estimator and by SKLearn, both at once")
    by_estimator = experiment.submit(
        Estimator(
            source_directory=TRAINING,
            entry_script="train.py",
            script_params={"--reg_rate": 0.01},
            compute_target="local",
            conda_packages=["scikit-learn"],
        )
    )
    by_estimator.display_name = "Estimator"
    by_sklearn = experiment.submit(
        config=SKLearn(
            source_directory=TRAINING,
            entry_script="train.py",
            script_params={"--reg_rate": 0.001},
            compute_target="local",
        )
    )
    by_sklearn.display_name = "SKLearn"
    for run in (by_estimator, by_sklearn):
        run.wait_for_completion(show_output=True)

    title("Metrics read back")
    runs = [by_script, by_estimator, by_sklearn]
    for run in runs:
        metrics = run.get_metrics()
        print(
            f"{run.id}: rate {metrics['Regularization Rate']}, "
            f"accuracy {metrics['Accuracy']:.4f}, AUC {metrics['AUC']:.4f}, "
            f"{len(metrics['Loss'])} losses down to {min(metrics['Loss']):.4f}"
        )

    title("Files of the best run")
    best = max(runs, key=lambda run: run.get_metrics()["AUC"])
    for name in best.get_file_names():
        print(name)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.pkl")
        best.download_file(name="outputs/model.pkl", output_file_path=path)
        print(f"Downloaded outputs/model.pkl: {os.path.getsize(path)} bytes")

    title("The best model, registered")
    best_metrics = best.get_metrics()
    registered = best.register_model(
        model_name="breast_cancer_model",
        model_path="outputs/model.pkl",
        description="A linear classifier of breast cancer cells",
        tags={"data": "breast cancer, Wisconsin"},
        properties={"AUC": best_metrics["AUC"], "Accuracy": best_metrics["Accuracy"]},
        model_framework=Model.Framework.SCIKITLEARN,
    )
    print(f"{registered.name} version {registered.version}, from run {registered.run_id}")
    for model in Model.list(ws):
        print(model.name, "version:", model.version, model.properties)


if __name__ == "__main__":
    main()
