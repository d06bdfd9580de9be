"""Every layout of a course checkpoint: its name, a module that has it, and what is recognised."""

from __future__ import annotations

import course_modules as course

TEXT = [
    ("distilbert+out", course.TutorialText, "linear", "cls"),
    ("distilbert+classifier", course.OriginalText, "linear", "cls"),
    ("distilbert+pre_classifier+classifier", course.SequenceText, "pre_classifier", "cls"),
    ("encoder+fc", course.EncoderText, "linear", "cls"),
    ("encoder+fc", lambda config: course.EncoderText(config, mean=True), "linear", "mean"),
    ("model+out", course.ModelText, "linear", "cls"),
    ("txt_enc+head.net", course.TwoTowers, "net", "mean"),
]

IMAGE = [
    ("efficientnet_b2-mlp", course.original_image, "efficientnet_b2", "mlp", "classifier.8"),
    ("efficientnet_b2-linear", course.plain_efficientnet, "efficientnet_b2", "linear", "classifier.1"),
    ("mobilenet_v2-linear", course.plain_mobilenet, "mobilenet_v2", "linear", "classifier.1"),
    ("mobilenet_v3_large-mlp", course.three_layer_mobilenet, "mobilenet_v3_large", "mlp", "classifier.8"),
    ("resnet18-fc", course.plain_resnet, "resnet18", "linear", "fc"),
    (
        "resnet18-feature_extractor-512",
        lambda: course.ResNetTransfer(whole=False),
        "resnet18",
        "linear",
        "classifier",
    ),
    (
        "resnet18-feature_extractor-512",
        lambda: course.ResNetTransfer(whole=False, named=True),
        "resnet18",
        "linear",
        "classifier",
    ),
    (
        "resnet18-feature_extractor-1000",
        lambda: course.ResNetTransfer(whole=True),
        "resnet18",
        "linear",
        "classifier",
    ),
]
