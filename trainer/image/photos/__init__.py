"""Training photos: ImageFolder, augmentation, cut-outs on other backgrounds, cached features."""
