"""What the page is made of; what it does is in `app.py`."""
