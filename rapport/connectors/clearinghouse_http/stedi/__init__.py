"""A clearinghouse with an API in the shape of Stedi's. `driver.StediClearinghouse` is the door."""
