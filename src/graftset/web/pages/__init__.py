"""One file for each page: what is known -> the page's typed context. No request, no response, no HTML."""
