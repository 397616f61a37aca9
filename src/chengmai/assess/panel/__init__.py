"""Values of indicators in columns: any of millions is found in milliseconds."""
