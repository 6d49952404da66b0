"""CI/CD for machine learning: every change becomes a challenger that reaches production through gates, on evidence."""

__version__ = "0.1.0"
