"""How fast the clearing house is, against limits and a rival measured in the same run."""
