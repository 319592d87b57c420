"""The CMS-1500 (02/12) paper claim, as positions on a page. Pure."""
