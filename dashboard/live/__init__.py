"""The live camera: what runs in the browser and what on the server, how it gets there, and its place on a page.

Nothing is imported here: the server imports `route` before Streamlit runs, and the page `component` after.
"""
