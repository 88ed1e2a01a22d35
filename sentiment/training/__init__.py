"""Making the weights: reading the corpora, the hand-written lines, the fit. Needs scikit-learn; judging does not."""
