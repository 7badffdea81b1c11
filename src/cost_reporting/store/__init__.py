"""What is kept: client records and outcomes in DynamoDB, documents in S3. One file for each kind of thing."""
