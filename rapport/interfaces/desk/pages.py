"""x"""
from django.http import HttpResponse


def front(r): return HttpResponse(b'')
docs=front
def docs_page(r,page): return HttpResponse(b'')
def problem(r,code): return HttpResponse(b'')
def static(r,name): return HttpResponse(b'')
