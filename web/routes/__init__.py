"""One module per subject; each handler carries its own row of the route table (``web.routing.route``)."""
