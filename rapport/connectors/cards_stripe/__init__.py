"""Cards through Stripe. `driver.StripeProcessor` is the door."""
