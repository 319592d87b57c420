"""A clearinghouse with an API in the shape of Claim.MD's. `driver.ClaimMdClearinghouse` is the door."""
