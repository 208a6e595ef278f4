"""Every snippet of the course's chapter "Train a local ML model", as it stands there.

Mended: `import os` and the imports that a reader adds, a comma that is missing after
`entry_script=...`, and "Train and test...", which here trains. The chapter before it has no
snippet; HyperDrive is only told of.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

pytestmark = [pytest.mark.xdist_group("seed"), pytest.mark.timeout(180)]

TRAIN = """
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

X, y = load_iris(return_X_y=True)
model = LogisticRegression(C=1 / reg, max_iter=1000).fit(X, y)
run.log("Regularization Rate", reg)
run.log("Accuracy", model.score(X, y))
"""

SCRIPT = f"""
from azureml.core import Run
import joblib
import os
import argparse

# Get the experiment run context
run = Run.get_context()

# Set regularization hyperparameter
parser = argparse.ArgumentParser()
parser.add_argument('--reg_rate', type=float, dest='reg', default=0.01)
args = parser.parse_args()
reg = args.reg

# Train and test...
{TRAIN}
# Save the trained model
os.makedirs('outputs', exist_ok=True)
joblib.dump(value=model, filename='outputs/model.pkl')

run.complete()
"""

WORKSPACE = """
from azureml.core import Workspace
ws = Workspace.from_config()
"""

LAST_RUN = f"""{WORKSPACE}
from azureml.core import Experiment
run = next(Experiment(workspace=ws, name='training_experiment').get_runs())
"""

REPORT = """
import json
details = run.wait_for_completion()
print(json.dumps([run.id, details['status'], run.get_metrics(), run.get_file_names()]))
"""


@pytest.fixture(scope="module")
def trained(shared_project: Project) -> Project:
    """A project whose experiment `training_experiment` has a completed run."""
    shared_project.write("experiment_folder/training_script.py", SCRIPT)
    shared_project.run(
        f"""{WORKSPACE}
from azureml.core import Experiment, ScriptRunConfig
script = ScriptRunConfig(source_directory='experiment_folder', script='training_script.py')
run = Experiment(workspace=ws, name='training_experiment').submit(config=script)
run.wait_for_completion()
"""
    )
    return shared_project


@pytest.fixture
def experiment_folder(project: Project) -> Project:
    """A project that has the course's script and no run yet."""
    project.write("experiment_folder/training_script.py", SCRIPT)
    return project


def reported(output: str) -> tuple[str, str, dict[str, object], list[str]]:
    """What REPORT printed."""
    run_id, status, metrics, files = json.loads(output.strip().splitlines()[-1])
    return run_id, status, metrics, files


def test_a_script_saves_its_model_among_the_outputs(project: Project) -> None:
    project.write(
        "experiment_folder/training_script.py",
        f"""
from azureml.core import Run
import joblib
import os

# Get the experiment run context
run = Run.get_context()

# Train and test...
reg = 0.1
{TRAIN}
# Save the trained model
os.makedirs('outputs', exist_ok=True)
joblib.dump(value=model, filename='outputs/model.pkl')

run.complete()
""",
    )
    output = project.run(
        f"""{WORKSPACE}
from azureml.core import Experiment, ScriptRunConfig
script = ScriptRunConfig(source_directory='experiment_folder', script='training_script.py')
run = Experiment(workspace=ws, name='training_experiment').submit(config=script)
{REPORT}"""
    )
    _, status, metrics, files = reported(output)
    assert status == "Completed"
    assert metrics["Regularization Rate"] == 0.1
    assert "outputs/model.pkl" in files


def test_an_estimator_runs_the_script(experiment_folder: Project) -> None:
    output = experiment_folder.run(
        f"""{WORKSPACE}
from azureml.train.estimator import Estimator
from azureml.core import Experiment

# Create an estimator
estimator = Estimator(source_directory='experiment_folder',
                      entry_script='training_script.py',
                      compute_target='local',
                      conda_packages=['scikit-learn']
                      )

# Create and run an experiment
experiment = Experiment(workspace = ws, name = 'training_experiment')
run = experiment.submit(config=estimator)
{REPORT}"""
    )
    run_id, status, metrics, files = reported(output)
    assert run_id.startswith("training_experiment_")
    assert status == "Completed"
    assert metrics["Regularization Rate"] == 0.01
    assert "outputs/model.pkl" in files


def test_an_sklearn_estimator_runs_the_script(experiment_folder: Project) -> None:
    output = experiment_folder.run(
        f"""{WORKSPACE}
from azureml.train.sklearn import SKLearn
from azureml.core import Experiment

# Or use a framework specific estimator as
estimator = SKLearn(source_directory='experiment_folder',
                    entry_script='training_script.py',
                    compute_target='local'
                    )

# Create and run an experiment
experiment = Experiment(workspace = ws, name = 'training_experiment')
run = experiment.submit(config=estimator)
{REPORT}"""
    )
    assert reported(output)[1] == "Completed"


def test_the_later_chapters_import_of_estimator_works(experiment_folder: Project) -> None:
    output = experiment_folder.run(
        """from azureml.core import Environment, Estimator
import azureml.train.estimator
assert Estimator is azureml.train.estimator.Estimator
print('same')
"""
    )
    assert output == "same\n"


def test_script_parameters_reach_the_script(experiment_folder: Project) -> None:
    output = experiment_folder.run(
        f"""{WORKSPACE}
from azureml.train.sklearn import SKLearn
from azureml.core import Experiment

# Create an estimator
estimator = SKLearn(source_directory='experiment_folder',
                    entry_script='training_script.py',
                    script_params = {{'--reg_rate': 0.1}},
                    compute_target='local'
                    )
experiment = Experiment(workspace = ws, name = 'training_experiment')
run = experiment.submit(config=estimator)
{REPORT}"""
    )
    _, status, metrics, _ = reported(output)
    assert status == "Completed"
    assert metrics["Regularization Rate"] == 0.1


def test_a_script_reads_its_parameter_as_usual(project: Project) -> None:
    output = project.run(
        """
import argparse
import sys
from azureml.core import Run

sys.argv += ['--reg_rate', '0.5']
run = Run.get_context()

# Set regularization hyperparameter
parser = argparse.ArgumentParser()
parser.add_argument('--reg_rate', type=float, dest='reg', default=0.01)
args = parser.parse_args()
reg = args.reg
run.log('reg', reg)
"""
    )
    # Outside of a submitted run the context only prints, as in v1.
    assert output == "Attempted to log scalar metric reg:\n0.5\n"


def test_model_files_are_downloaded_from_the_run(trained: Project) -> None:
    output = trained.run(
        f"""{LAST_RUN}
print(run.get_file_names())
run.download_file(name='outputs/model.pkl', output_file_path='model.pkl')
for name in run.get_file_names():
    run.download_file(name, 'downloaded/')
"""
    )
    assert "'outputs/model.pkl'" in output
    assert "'user_logs/std_log.txt'" in output
    assert (trained.folder / "model.pkl").stat().st_size > 100
    # The script printed nothing; its log is there all the same.
    assert (trained.folder / "downloaded" / "std_log.txt").read_bytes() == b""


def test_a_local_file_is_registered_as_a_model(trained: Project) -> None:
    Path(trained.folder, "model.pkl").write_bytes(b"a model")
    output = trained.run(
        f"""{WORKSPACE}
from azureml.core import Model

model = Model.register(workspace=ws,
                       model_name='local_model',
                       model_path='model.pkl', # local path
                       description='A classification model',
                       tags={{'dept': 'sales'}},
                       model_framework=Model.Framework.SCIKITLEARN,
                       model_framework_version='0.20.3')
print(model.name, model.version, model.tags, model.model_framework, model.description)
"""
    )
    assert output.splitlines() == [
        "Registering model local_model",
        "local_model 1 {'dept': 'sales'} ScikitLearn A classification model",
    ]


def test_a_run_s_output_is_registered_as_a_model(trained: Project) -> None:
    output = trained.run(
        f"""{LAST_RUN}
from azureml.core import Model

run.register_model( model_name='run_model',
                    model_path='outputs/model.pkl', # run outputs path
                    description='A classification model',
                    tags={{'dept': 'sales'}},
                    model_framework=Model.Framework.SCIKITLEARN,
                    model_framework_version='0.20.3')
model = Model(ws, 'run_model')
print(model.version, model.run_id == run.id, model.model_framework_version)
"""
    )
    assert output.splitlines()[-1] == "1 True 0.20.3"


def test_registered_models_are_listed_with_their_versions(project: Project) -> None:
    Path(project.folder, "model.pkl").write_bytes(b"a model")
    output = project.run(
        f"""{WORKSPACE}
from azureml.core import Model

for name in ('classification_model', 'other_model', 'classification_model'):
    Model.register(workspace=ws, model_name=name, model_path='model.pkl')
print('--')
for model in Model.list(ws):
    # Get model name and auto-generated version
    print(model.name, 'version:', model.version)
"""
    )
    assert output.partition("--\n")[2].splitlines() == [
        "classification_model version: 2",
        "other_model version: 1",
        "classification_model version: 1",
    ]


# The chapter "Working with Data". `/files` is the folder `files`, and where a store's files are
# moved it is the default one, since the account that the chapter registers does not exist.


def test_a_datastore_is_registered_and_managed(project: Project) -> None:
    output = project.run("""
from azureml.core import Workspace, Datastore

ws = Workspace.from_config()

# Register a new datastore
blob_ds = Datastore.register_azure_blob_container(
    workspace=ws,
    datastore_name='blob_data',
    container_name='data_container',
    account_name='az_store_acct',
    account_key='123456abcde789…'
)

# list
for ds_name in ws.datastores:
    print(ds_name)

# get
blob_store = Datastore.get(ws, datastore_name='blob_data')

# get default
default_store = ws.get_default_datastore()
print(default_store.name)

# set default
ws.set_default_datastore('blob_data')
print(ws.get_default_datastore().name)
""")
    lines = output.splitlines()
    assert {"workspaceblobstore", "workspacefilestore", "blob_data"} <= set(lines)
    assert lines[-2:] == ["workspaceblobstore", "blob_data"]


def test_files_are_uploaded_downloaded_and_passed_to_a_script(project: Project) -> None:
    project.write("files/sub/a.csv", "a")
    project.write(
        "experiment_folder/training_script.py",
        "import argparse, os\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--data_folder', type=str, dest='data_folder')\n"
        "print('FILES', os.listdir(parser.parse_args().data_folder))\n",
    )
    output = project.run("""
from azureml.core import Experiment, Workspace
from azureml.train.sklearn import SKLearn
ws = Workspace.from_config()
blob_ds = ws.get_default_datastore()

blob_ds.upload(src_dir='files',
               target_path='/data/files',
               overwrite=True, show_progress=True)

blob_ds.download(target_path='downloads',
                 prefix='/data',
                 show_progress=True)

data_ref = blob_ds.path('data/files').as_download(path_on_compute='training_data')
estimator = SKLearn(source_directory='experiment_folder',
                    entry_script='training_script.py',
                    compute_target='local',
                    script_params = {'--data_folder': data_ref})
Experiment(ws, 'e').submit(estimator).wait_for_completion(show_output=True)
""")
    assert "Uploaded files/sub/a.csv, 1 files out of an estimated total of 1" in output
    assert (project.folder / "downloads/data/files/sub/a.csv").read_text() == "a"
    assert "FILES ['sub']" in output


def test_datasets_are_registered_read_and_passed_to_scripts(project: Project) -> None:
    for path, text in (
        ("data/files/current_data.csv", "a,b\n1,x\n"),
        ("data/files/archive/2019.csv", "a,b\n2,y\n"),
        ("data/files/images/1.jpg", "first"),
        ("data/files/images/2.png", "second"),
    ):
        project.write(path, text)
    project.write(
        "experiment_folder/training_script.py",
        """
import glob
from azureml.core import Run
run = Run.get_context()
if 'csv_data' in run.input_datasets:
    data = run.input_datasets['csv_data'].to_pandas_dataframe()
    print('ROWS', data['a'].tolist())
else:
    print('IMAGES', sorted(glob.glob('data/*')), run.input_datasets['img_data'][-4:])
""",
    )
    output = project.run("""
from azureml.core import Dataset, Experiment, Workspace
from azureml.train.estimator import Estimator
from azureml.train.sklearn import SKLearn
ws = Workspace.from_config()

blob_ds = ws.get_default_datastore()
blob_ds.upload(src_dir='data', target_path='data', show_progress=False)
csv_paths = [(blob_ds, 'data/files/current_data.csv'),
             (blob_ds, 'data/files/archive/*.csv')]
tab_ds = Dataset.Tabular.from_delimited_files(path=csv_paths)
tab_ds = tab_ds.register(workspace=ws, name='csv_table')

file_ds = Dataset.File.from_files(path=(blob_ds, 'data/files/images/*.jpg'))
file_ds = file_ds.register(workspace=ws, name='img_files')

# Get a dataset from the workspace datasets collection
ds1 = ws.datasets['csv_table']

# Get a dataset by name from the datasets class
ds2 = Dataset.get_by_name(ws, 'img_files')
print('FOUND', ds1.version, ds2.version)

img_paths = [(blob_ds, 'data/files/images/*.jpg'),
             (blob_ds, 'data/files/images/*.png')]
file_ds = Dataset.File.from_files(path=img_paths)
file_ds = file_ds.register(workspace=ws, name='img_files', create_new_version=True)

img_ds = Dataset.get_by_name(workspace=ws, name='img_files', version=2)

df = tab_ds.to_pandas_dataframe()
print('FRAME', df.shape)

for file_path in file_ds.to_path():
    print(file_path)

estimator = SKLearn( source_directory='experiment_folder',
                     entry_script='training_script.py',
                     compute_target='local',
                     inputs=[tab_ds.as_named_input('csv_data')],
                     pip_packages=['azureml-dataprep[pandas]'])
Experiment(ws, 'e').submit(estimator).wait_for_completion(show_output=True)

estimator = Estimator( source_directory='experiment_folder',
                     entry_script='training_script.py',
                     compute_target='local',
                     inputs=[img_ds.as_named_input('img_data').as_download(path_on_compute='data')],
                     pip_packages=['azureml-dataprep[pandas]'])
Experiment(ws, 'e').submit(estimator).wait_for_completion(show_output=True)
""")
    assert "FOUND 1 1\nFRAME (2, 2)\n/1.jpg\n/2.png\n" in output
    assert "ROWS [1, 2]" in output
    assert "IMAGES ['data/1.jpg', 'data/2.png'] data" in output
