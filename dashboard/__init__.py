"""The Streamlit app that shows runs and lets one try them."""
