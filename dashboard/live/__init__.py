"""The live camera: what runs in the browser, how it gets there, and its place on a page."""

from dashboard.live.assets import MISSING, is_installed
from dashboard.live.component import live_camera
from dashboard.live.exports import export_path, exported, refusal

__all__ = ["MISSING", "export_path", "exported", "is_installed", "live_camera", "refusal"]
