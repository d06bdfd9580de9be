"""Why a model answered as it did: heat-maps and word influence."""
