"""Reports for those who run the system: in English, as PDF in the style of the clients' reports, or as Markdown."""
