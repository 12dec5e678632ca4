"""A network as an estimator of scikit-learn: cross-validated, then its learning rate searched."""

import sys

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score

from digitnet import DigitClassifier

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 200

images, labels = load_digits(return_X_y=True)  # (1797, 64) of 0 to 16, (1797,)
classifier = DigitClassifier("blog", steps=steps)
scores = cross_val_score(classifier, images, labels, cv=3)
print(f"accuracy of three folds: {', '.join(f'{score:.4f}' for score in scores)}")

search = GridSearchCV(classifier, {"learning_rate": [0.0005, 0.005]}, cv=3).fit(images, labels)
print(f"best: {search.best_params_}, {search.best_score_:.4f}")
