"""Events written with the change, delivered after it; webhook endpoints and deliveries."""
