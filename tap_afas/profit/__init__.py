"""The AFAS Profit REST API, as far as reading GetConnectors goes; knows nothing of Singer."""
