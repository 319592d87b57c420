"""The REST interface, version 1: the rooms' routers, one authenticator, one way to fail."""
