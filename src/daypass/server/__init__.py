"""HTTP/1.1 as Daypass serves it: uvicorn's server with a protocol of our own."""
