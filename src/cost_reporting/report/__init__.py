"""The report: a client's figures turned into a PDF and the words of the mail that carries it.

Nothing is imported here, so that a function which only reads the words of a mail pays neither for a typesetter nor for
templates: import ``report.renderer`` to render and ``report.mail`` for the words.
"""
