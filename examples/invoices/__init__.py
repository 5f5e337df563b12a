"""Invoices: a small application for many companies, whose walls are one setting."""
