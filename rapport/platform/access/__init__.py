"""Who may do what: permissions, roles, and the scope every query and service takes."""
