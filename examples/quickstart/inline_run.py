"""An inline run that logs by every `log*` method of SDK v1."""

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def explore(experiment):
    """Look at two data sets within an interactive run of `experiment`; return the run."""
    run = experiment.start_logging(display_name="inline", snapshot_directory=None)
    print(f"Run {run.id} is {run.get_status()}")
    log_data(run)
    log_classification(run)
    log_regression(run)
    run.complete()
    return run


def log_data(run):
    """Log what the data set is: numbers, a list, a table, rows and a picture."""
    data = load_breast_cancer()
    frame = data.data
    run.log("Observations", len(frame))
    run.log("Data set", "breast cancer, Wisconsin")
    run.log_list("First features", list(data.feature_names[:5]))
    for name, values in zip(data.feature_names[:3], frame.T):
        run.log_row("Features", feature=name, mean=values.mean(), std=values.std())
    counts = np.bincount(data.target)
    run.log_table("Classes", {"class": list(data.target_names), "rows": counts.tolist()})

    figure = plt.figure(figsize=(6, 4))
    for target, name in enumerate(data.target_names):
        plt.hist(frame[data.target == target, 0], bins=30, alpha=0.6, label=name)
    plt.xlabel(data.feature_names[0])
    plt.legend()
    run.log_image("Mean radius", plot=figure)
    plt.close(figure)


def log_classification(run):
    """Log a classifier's confusion matrix and accuracy table."""
    data = load_breast_cancer()
    x_train, x_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=0.3, random_state=0, stratify=data.target
    )
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x_train, y_train)
    labels = [str(name) for name in data.target_names]
    run.log("Accuracy", model.score(x_test, y_test))
    run.log_confusion_matrix(
        "Confusion",
        {
            "schema_type": "confusion_matrix",
            "schema_version": "1.0.0",
            "data": {
                "class_labels": labels,
                "matrix": confusion_matrix(y_test, model.predict(x_test)).tolist(),
            },
        },
    )
    probabilities = model.predict_proba(x_test)
    thresholds = np.linspace(0, 1, 21)
    percentiles = [np.quantile(probabilities[:, c], thresholds) for c in range(len(labels))]
    run.log_accuracy_table(
        "Accuracy table",
        {
            "schema_type": "accuracy_table",
            "schema_version": "1.0.1",
            "data": {
                "class_labels": labels,
                "probability_thresholds": thresholds.tolist(),
                "percentile_thresholds": thresholds.tolist(),
                "probability_tables": [
                    counts_at(y_test == c, probabilities[:, c], thresholds)
                    for c in range(len(labels))
                ],
                "percentile_tables": [
                    counts_at(y_test == c, probabilities[:, c], percentiles[c])
                    for c in range(len(labels))
                ],
            },
        },
    )


def counts_at(truth, probability, thresholds):
    """Return [TP, FP, TN, FN] at each threshold."""
    rows = []
    for threshold in thresholds:
        said = probability >= threshold
        pairs = (said & truth, said & ~truth, ~said & ~truth, ~said & truth)
        rows.append([int(pair.sum()) for pair in pairs])
    return rows


def log_regression(run):
    """Log a regression's residuals and predictions."""
    x, y = load_diabetes(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=0)
    predicted = LinearRegression().fit(x_train, y_train).predict(x_test)
    counts, edges = np.histogram(predicted - y_test, bins=8)
    run.log_residuals(
        "Residuals",
        {
            "schema_type": "residuals",
            "schema_version": "1.0.0",
            "data": {"bin_edges": edges.tolist(), "bin_counts": counts.tolist()},
        },
    )
    edges = np.quantile(y_test, np.linspace(0, 1, 6))
    places = np.clip(np.digitize(y_test, edges) - 1, 0, len(edges) - 2)
    bins = [predicted[places == place] for place in range(len(edges) - 1)]
    run.log_predictions(
        "Predictions",
        {
            "schema_type": "predictions",
            "schema_version": "1.0.0",
            "data": {
                "bin_averages": [float(values.mean()) for values in bins],
                "bin_errors": [float(values.std()) for values in bins],
                "bin_counts": [len(values) for values in bins],
                "bin_edges": edges.tolist(),
            },
        },
    )
