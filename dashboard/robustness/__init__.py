"""The parts of the Run page that show accuracy on worse pictures and with several views of a face."""
