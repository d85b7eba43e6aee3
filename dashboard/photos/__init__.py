"""The parts of the Photos page: choices, the editor of boxes, what runs read, and videos."""
