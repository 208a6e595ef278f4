"""Train a linear classifier of breast cancer cells, as any script for Azure ML SDK v1 would."""

import argparse
import os

import joblib
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from azureml.core import Run

# Get the experiment run context
run = Run.get_context()

# Set regularization hyperparameter
parser = argparse.ArgumentParser()
parser.add_argument("--reg_rate", type=float, dest="reg", default=0.01)
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args()

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
print(f"{len(X_train)} rows to train on, {len(X_test)} to test with, {X.shape[1]} features")

scaler = StandardScaler().fit(X_train)
classifier = SGDClassifier(loss="log_loss", alpha=args.reg, random_state=0)
run.log("Regularization Rate", args.reg)
for epoch in range(args.epochs):
    classifier.partial_fit(scaler.transform(X_train), y_train, classes=np.unique(y))
    loss = log_loss(y_test, classifier.predict_proba(scaler.transform(X_test)))
    run.log("Loss", loss, step=epoch)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: loss {loss:.4f}")

model = make_pipeline(scaler, classifier)
accuracy = model.score(X_test, y_test)
auc = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])
run.log("Accuracy", accuracy)
run.log("AUC", auc)
print(f"accuracy {accuracy:.4f}, AUC {auc:.4f}")

# Save the trained model
os.makedirs("outputs", exist_ok=True)
joblib.dump(value=model, filename="outputs/model.pkl")

run.complete()
