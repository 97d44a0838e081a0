"""The server process around the application: PostgreSQL, gunicorn, proxies."""
