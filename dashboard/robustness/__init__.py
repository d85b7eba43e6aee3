"""What the pages Run and Compare show of accuracy on worse pictures and with several views of a face."""
