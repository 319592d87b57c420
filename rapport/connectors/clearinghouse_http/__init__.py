"""A clearinghouse that takes files over HTTP. `driver.HttpClearinghouse` is the door."""
