"""What runs leave for readers outside: the model card of one, and a page that compares several."""

from fer_core.report.comparison import comparison_report, write_comparison
from fer_core.report.model_card import model_card, write_model_card

__all__ = ["comparison_report", "model_card", "write_comparison", "write_model_card"]
