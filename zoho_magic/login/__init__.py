"""The ways a person obtains a grant: a browser on this machine, a pasted address, another device, an org's own client.

No IPython and no widgets here: what is shown is an `Invitation`, what is asked goes through a `Person`.
"""
