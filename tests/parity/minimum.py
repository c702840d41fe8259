"""Where scikit-learn's solver ends short of the minimum, Newton's steps go on from there.

Its solvers stop, or give up, where columns have very different units (a date in days beside shares). Owns the losses of logistic regression and of the
linear support vector machine as their documentation states them; must not know the worker's answers.
"""

import numpy as np
from scipy import special

# The slope by a column's effect, a row, from which on a solution is no minimum.
STEEP = 1e-9
STEPS = 200
CLASSIFIERS = ("logisticRegression", "linearSvm")


def newton(step, v):
    """Goes on until no step, however short, lowers the loss. `step` gives the loss, and its slope and curvature when asked for."""
    loss, slope, curvature = step(v, True)
    if np.abs(slope).max() <= STEEP * step.rows:
        return v
    for _ in range(STEPS):
        direction = -np.linalg.lstsq(curvature, slope, rcond=1e-15)[0]
        share = 1.0
        while not step(v + share * direction, False)[0] < loss:
            share /= 2
            if share < 1e-9:
                return v
        v = v + share * direction
        loss, slope, curvature = step(v, True)
    return v


class SquaredHinge:
    """Half the squares of the weights and the intercept, and C = 1 times the rows' squared shortfalls of the margin."""

    def __init__(self, x, signs, deviations):
        self.rows, self.signs = len(x), signs
        self.x = np.column_stack([x / deviations, np.ones(len(x))])
        self.penalty = 1 / np.append(deviations, 1.0) ** 2

    def __call__(self, v, is_whole):
        short = np.maximum(0, 1 - self.signs * (self.x @ v))
        loss = 0.5 * (self.penalty * v) @ v + short @ short
        if not is_whole:
            return loss, None, None
        near = self.x[short > 0]
        slope = self.penalty * v - 2 * self.x.T @ (self.signs * short)
        return loss, slope, np.diag(self.penalty) + 2 * near.T @ near


class Logistic:
    """Half the squares of the weights, and the rows' negative log-likelihoods under the softmax of the sums, one a class."""

    def __init__(self, x, classes, deviations):
        self.rows, self.count = len(x), classes.max() + 1
        # Centred: the intercepts have no penalty, and take up the difference.
        self.x = np.column_stack([(x - x.mean(axis=0)) / deviations, np.ones(len(x))])
        self.is_class = np.eye(self.count)[classes]
        self.penalty = np.tile(np.append(1 / deviations**2, 0.0), self.count)

    def __call__(self, v, is_whole):
        sums = self.x @ v.reshape(self.count, -1).T
        loss = 0.5 * (self.penalty * v) @ v + (special.logsumexp(sums, axis=1) - (sums * self.is_class).sum(axis=1)).sum()
        if not is_whole:
            return loss, None, None
        shares = special.softmax(sums, axis=1)
        slope = self.penalty * v + ((shares - self.is_class).T @ self.x).ravel()
        return loss, slope, np.diag(self.penalty) + self.curvature(shares)

    def curvature(self, shares):
        each = range(self.count)
        weights = [[shares[:, one] * ((one == other) - shares[:, other]) for other in each] for one in each]
        return np.block([[self.x.T @ (weights[one][other][:, None] * self.x) for other in each] for one in each])


def weights_of(model, name, x, y):
    """scikit-learn's coefficients at the minimum: one row a class, or the second's alone of two.

    What all rows of a softmax have in common says nothing; it is subtracted."""
    deviations = x.std(axis=0)
    deviations = np.where(deviations > 0, deviations, 1.0)
    classes = np.searchsorted(model.classes_, y)
    if name == "linearSvm":
        rows = []
        for row, weights in enumerate(model.coef_):
            signs = np.where(classes == (row if len(model.coef_) > 1 else 1), 1.0, -1.0)
            begin = np.append(weights * deviations, model.intercept_[row])
            rows.append(newton(SquaredHinge(x, signs, deviations), begin)[:-1] / deviations)
        return np.array(rows)
    weights, intercepts = model.coef_, model.intercept_ + model.coef_ @ x.mean(axis=0)
    is_one_row = len(weights) == 1
    if is_one_row:
        weights, intercepts = np.vstack([-weights, weights]) / 2, np.append(-intercepts, intercepts) / 2
    loss = Logistic(x, classes, deviations)
    # Two rows of half the weights have half the squares of the one row.
    loss.penalty = loss.penalty * (2 if is_one_row else 1)
    begin = np.column_stack([weights * deviations, intercepts]).ravel()
    found = newton(loss, begin).reshape(len(weights), -1)[:, :-1] / deviations
    return found[1:] - found[:1] if is_one_row else found - found.mean(axis=0)
