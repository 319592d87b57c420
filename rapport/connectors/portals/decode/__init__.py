"""From bytes to rows in the names of the contract: find the table, bind its columns, read its values."""
