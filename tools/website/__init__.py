"""The course as web pages: what is generated for them, and what the finished pages are checked for."""
