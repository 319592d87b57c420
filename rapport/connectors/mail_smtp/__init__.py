"""Mail by SMTP: supplies `platform.identity.ports.CodeMail`."""
