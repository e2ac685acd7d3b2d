"""The catalogue: what each dataset holds, measured on the lake, written for people."""
