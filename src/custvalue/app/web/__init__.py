"""The managers' page: FastAPI and templates over the orders' database, whatever a request shows or changes demands a principal.

The way of a request: `application` → `visit` (who asks, may they) → a page's module → `repository` (what they may see) → a template.
"""
