"""What holds, one file or folder a kind of rule: folds over observations, window rows, transitions."""
