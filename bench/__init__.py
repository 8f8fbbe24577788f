"""Speed of the gateway against its peers: `make bench`."""
