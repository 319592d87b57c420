"""A clearinghouse that takes files over SFTP. `driver.SftpClearinghouse` is the door."""
