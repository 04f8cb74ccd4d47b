"""The only package that imports IPython or ipywidgets: magics, form, cards, completion."""
