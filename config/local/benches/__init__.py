"""The promises about speed that `manage.py bench` measures, one module per subject."""
