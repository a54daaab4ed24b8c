"""The processes of `manage.py up`: started together, read together, stopped in order, never left behind."""
