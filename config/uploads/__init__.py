"""Files that people hand in: what they are is read off their bytes, and nothing of them is trusted.

Pictures are decoded and made anew, so that only their pixels stay; papers are looked into and refused where they could
act. Neither a name nor a claimed type is believed.
"""
