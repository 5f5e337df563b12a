"""Survey every tenant there is: each acts once, and one query of its covers all the others.

Two tenants tell how the walls are built; whether they are built so for everybody is what is asked
here. Works on the target itself and reads rows that exist: what is written is rolled back.
"""
