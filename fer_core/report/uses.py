"""What a reader of a model card must know beside the figures: uses, limits and the law."""

INTENDED = """\
Research and teaching on the recognition of posed and spontaneous facial expressions: comparing networks and
preprocessing, studying what they see and where they err, demonstrations with the knowledge and consent of the people
who are seen."""

OUT_OF_SCOPE = """\
- **At work and in education.** Regulation (EU) 2024/1689 (the EU AI Act), Article 5(1)(f), forbids to place on the
  market, to put into service for this purpose, or to use AI systems that infer the emotions of people at the workplace
  and in education institutions, except for medical or safety reasons. It has applied since 2 February 2025.
- **Any decision about a person**: hiring, grading, insurance, credit, policing, border control, health. Where the EU
  AI Act allows emotion recognition, it is a high-risk use (Annex III, point 1(c)), and people who are exposed to it
  must be told (Article 50(3)); nothing here was made to meet the requirements that follow.
- **Reading what people feel.** A face shows an expression, which says little of the feeling behind it: people smile
  without joy and are angry without scowling, and how much so differs between cultures and situations (Barrett et al.
  2019, doi:10.1177/1529100619832930).
- **Medical or safety use**, for which nothing here was tested."""

LIMITS = (
    "One label a face, out of a few classes: mixed, weak and other expressions are forced into them.",
    "Who is seen is not known: the data have no labels of age, gender or skin, so that no difference in accuracy "
    "between groups was measured, and one has to be expected.",
    "The accuracy holds for faces that are cropped and chosen as those of the test set; on other cameras, crops and "
    "populations, less has to be expected.",
    "The interval is of sampling alone: it covers the drawing of test images, not another seed of the training, wrong "
    "labels, or other data.",
)
OF_DATASET = {
    "fer2013": "FER2013's labels come from image search and are noisy: people reached about 65 % on it (Goodfellow et "
    "al. 2013, arXiv 1307.0414), and images occur in several copies, some with contradicting labels.",
    "sfew": "SFEW is small, and its faces are of actors in films: an expression is played, and a film's light and "
    "people may occur in both halves unless the protocol keeps films apart.",
}
SYNTHETIC = (
    "> **This is no result.** The run was trained and tested on faces that a program drew, to try the software; its "
    "figures say nothing about the recognition of human faces."
)


def limits_of(dataset: str) -> list[str]:
    """The limits of any run, and those of its dataset where they are known."""
    return [*LIMITS, *(text for name, text in OF_DATASET.items() if dataset.startswith(name))]
