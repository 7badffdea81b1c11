"""Cost reports for the AWS accounts of a consultancy's clients: one correct report each, or the reason why not."""
