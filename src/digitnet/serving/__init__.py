"""The page and the HTTP service: a drawing or a picture in, what the network says about it out. No torch."""
